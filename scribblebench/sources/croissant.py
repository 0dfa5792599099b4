"""Croissant metadata of a variant: a description that dataset search engines read (JSON-LD)."""

from __future__ import annotations

from typing import Any

from scribblebench.core.cards import DatasetCard
from scribblebench.sources.job import LABELS, STROKES
from scribblebench.sources.manifest import NAME as MANIFEST
from scribblebench.sources.manifest import Head

NAME = "croissant.json"

# The context that the Croissant 1.0 specification prescribes, word for word.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(head: Head, card: DatasetCard, manifest_sha256: str) -> dict[str, Any]:
    """Describe a variant.

    Args:
        head: its manifest.
        card: its dataset.
        manifest_sha256: of the manifest's file.
    """
    source = head.source
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"{source.dataset}-{source.split}-{head.variant}",
        "description": f"Scribbles of {card.title}, {source.split}: {head.variant}. "
        f"{head.totals.strokes} strokes on {source.images} images; fingerprint {head.fingerprint}.",
        "license": card.licence or "as the source",
        "version": f"{head.rule}.0.0",
        "distribution": [
            _file(MANIFEST, "application/json", manifest_sha256),
            _set("labels", f"{LABELS}/*.png", "image/png", "label maps: class indices, ignored elsewhere"),
            _set("strokes", f"{STROKES}/*.xml", "application/xml", "strokes in ScribbleSup's format"),
        ],
        "recordSet": [_records()],
    }


def _file(name: str, encoding: str, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "encodingFormat": encoding,
        "sha256": sha256,
    }


def _set(name: str, includes: str, encoding: str, text: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "description": text,
        "includes": includes,
        "encodingFormat": encoding,
    }


def _records() -> dict[str, Any]:
    fields = [
        _field("image", "sc:Text", "filename", r"([^/]+)\.png$"),
        _field("label", "sc:ImageObject", "content", None),
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "images",
        "key": {"@id": "images/image"},
        "field": fields,
    }


def _field(name: str, kind: str, prop: str, regex: str | None) -> dict[str, Any]:
    source: dict[str, Any] = {"fileSet": {"@id": "labels"}, "extract": {"fileProperty": prop}}
    if regex:
        source["transform"] = {"regex": regex}
    return {"@type": "cr:Field", "@id": f"images/{name}", "name": name, "dataType": kind, "source": source}
