"""What a variant of a dataset is: degradations, seed and pen. Its id names its folder."""

from __future__ import annotations

from typing import Any

import msgspec

from scribblebench.core.cards import Seed, Share, convert
from scribblebench.core.errors import UserError
from scribblebench.core.identity import fields, versions
from scribblebench.scribbles.degradation import Degradation
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.pen import Pen
from scribblebench.scribbles.png import Labels


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One degradation at one rate.

    Attributes:
        kind: the name of a registered degradation.
        rate: in [0, 1].
        options: the degradation's own fields.
    """

    kind: str
    rate: Share
    options: dict[str, Any] = {}

    def part(self) -> Degradation:
        """Make the degradation."""
        return DEGRADATIONS.build(self.kind, self.options, "variant")


class VariantSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A variant, up to the dataset it is made from.

    Attributes:
        degradations: applied in this order.
        seed: of every draw.
        pen: how strokes become pixels.
        labels: kind of label PNG.
        strokes: the reader of the source's strokes, where it was forced.
    """

    degradations: tuple[Step, ...] = ()
    seed: Seed = 0
    pen: Pen = Pen()
    labels: Labels = "palette"
    strokes: str = ""

    @classmethod
    def of(cls, kind: str, rate: float = 0.0, seed: int = 0, **options: Any) -> VariantSpec:
        """Return the variant of one degradation; kind ``none`` is the undegraded one.

        >>> VariantSpec.of("shrink", 0.5).id, VariantSpec.of("none", seed=3).id
        ('shrink-0.5-seed0', 'none')
        >>> VariantSpec.of("drop", 0.3, 1, unit="stroke").id
        'drop-0.3-unit=stroke-seed1'
        """
        if kind == "none":
            return cls()
        return cls(
            degradations=(convert({"kind": kind, "rate": rate, "options": options}, Step, "variant"),),
            seed=seed,
        )

    @property
    def id(self) -> str:
        """A name fit for a folder: degradations, options that differ from their defaults, seed."""
        steps = ["-".join((s.kind, f"{s.rate:.12g}", *_changed(s.part()))) for s in self.degradations]
        rest = [
            *_changed(self.pen),
            *(f"{k}={getattr(self, k)}" for k in ("labels", "strokes") if self._differs(k)),
        ]
        seed = [f"seed{self.seed}"] if steps else []
        return "-".join(("+".join(steps) or "none", *rest, *seed))

    @property
    def kind(self) -> str:
        """A name without seed and last rate: what variants share that differ in how strong they are.

        >>> VariantSpec.of("shrink", 0.5, 3).kind, VariantSpec.of("shrink", 0.5, keep="centre").kind
        ('shrink', 'shrink-keep=centre')
        >>> VariantSpec((*VariantSpec.of("drop", 0.3).degradations, Step("shrink", 0.5))).kind
        'drop-0.3+shrink'
        """
        *before, last = self.degradations or (None,)
        steps = ["-".join((s.kind, f"{s.rate:.12g}", *_changed(s.part()))) for s in before if s]
        steps.append("-".join((last.kind, *_changed(last.part()))) if last else "none")
        return "-".join(("+".join(steps), *_changed(self.pen)))

    @property
    def rate(self) -> float:
        """The rate of the last degradation; 0 without one."""
        return self.degradations[-1].rate if self.degradations else 0.0

    def checked(self) -> VariantSpec:
        """Return the same variant with only those options that differ from their defaults.

        Raises:
            UserError: an unknown degradation or option, a value out of range, or one degradation twice.
        """
        spec = convert(msgspec.to_builtins(self), VariantSpec, "variant")
        steps = [
            Step(s.kind, s.rate, _different(part))
            for s, (part, _) in zip(spec.degradations, spec.parts(), strict=True)
        ]
        return msgspec.structs.replace(spec, degradations=tuple(steps))

    def _differs(self, field: str) -> bool:
        return bool(getattr(self, field) != getattr(VariantSpec(), field))

    def parts(self) -> tuple[tuple[Degradation, float], ...]:
        """Make the degradations, with their rates.

        Raises:
            UserError: an unknown degradation or option, a rate outside [0, 1], or one degradation twice.
        """
        kinds = [step.kind for step in self.degradations]
        twice = next((kind for kind in kinds if kinds.count(kind) > 1), None)
        if twice:
            raise UserError(f"The variant names {twice} twice; give each degradation one rate.")
        return tuple((step.part(), step.rate) for step in self.degradations)

    def versions(self) -> dict[str, int | str]:
        """Return the versions of the degradations (see ``Registry.version``)."""
        return versions(*((DEGRADATIONS, step.kind) for step in self.degradations))

    def needs_masks(self) -> bool:
        """Tell whether the degradations look at the dense masks."""
        return any(part.needs_masks() for part, _ in self.parts())

    def drawn_with(self) -> Pen:
        """Return the pen after the degradations that change it."""
        pen = self.pen
        for part, rate in self.parts():
            pen = part.pen(pen, rate)
        return pen


def _different(struct: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a struct that differ from their defaults."""
    values = ((field, getattr(struct, field.name)) for field in fields(type(struct)))
    return {field.name: value for field, value in values if value != field.default}


def _changed(struct: msgspec.Struct) -> list[str]:
    return [f"{name}={_text(value)}" for name, value in _different(struct).items()]


def _text(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
