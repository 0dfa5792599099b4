#!/usr/bin/env bash
# The results and the speed that want a CUDA device, in one go, within a time budget.
#
#   benchmarks/on_gpu.sh VOC_DIR WEIGHTS.safetensors OUT [MINUTES] [JOBS]
#
# VOC_DIR is a folder in VOC layout with strokes; WEIGHTS are MobileNetV2's, with torchvision's names.
# OUT gets the records, the report and the benchmarks. Several cells run at once on the card. Stopped by the
# budget or by hand, the same command carries on where it was.
#
# On a machine that cannot install packages, put wheels of what it lacks into a folder and name it in WHEELS;
# PYTHON names the interpreter.
set -euo pipefail

data=$1 weights=$2 out=$3 minutes=${4:-25} jobs=${5:-6}
python=${PYTHON:-python3}
here=$(cd "$(dirname "$0")/.." && pwd)
ends=$(($(date +%s) + minutes * 60))
mkdir -p "$out"

if [[ -n ${WHEELS:-} ]]; then
    "$python" -m pip install -q --no-index --no-deps --target "$out/.site" "$WHEELS"/*.whl
fi
export PYTHONPATH="$here${WHEELS:+:$out/.site}${PYTHONPATH:+:$PYTHONPATH}"
"$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' || {
    echo "No CUDA device here: torch.cuda.is_available() is False." >&2
    exit 2
}

left() { # seconds of the budget, two minutes for Table 5 and the report set aside
    local seconds=$((ends - $(date +%s) - 120))
    echo $((seconds > 0 ? seconds : 0))
}

on_photographs=(--dataset voc2012 --data-dir "$data" --protocol voc-mini --set crop=449 --device cuda)

cells() {
    (($(left) == 0)) || timeout --signal TERM "$(left)" "$python" -m scribblebench run "$@" \
        "${on_photographs[@]}" --weights "$weights" --jobs "$jobs" --variants "$out/data" --runs "$out/runs" ||
        echo "stopped or failed: $*" >&2
}

# Single pieces against their peers, and the step against the published formulation.
timeout 600 "$python" "$here/benchmarks/all.py" --device cuda --out "$out/benchmarks" ||
    echo "a benchmark failed, or the ten minutes of all were over" >&2
# The end points with several seeds first: they decide; the middle rates come last.
cells --grid shrink --rates 0,1 --seeds 0,1,2
cells --grid ablation --seeds 0
cells --grid drop --rates 0,0.5 --seeds 0,1,2
cells --grid variation --seeds 0
cells --grid controls --seeds 0
cells --grid shrink --seeds 0
cells --grid drop --seeds 0
# The walk's share of a training step: 1 - training_images_per_second of rw over that of baseline.
timeout 300 "$python" -m scribblebench run --grid efficiency --set batch=8 --device cuda --runs "$out/runs" ||
    echo "efficiency grid failed" >&2
"$python" -m scribblebench figures "${on_photographs[@]}" --weights "$weights" --runs "$out/runs" \
    --out "$out/figures" || echo "figures failed" >&2
"$python" -m scribblebench report --runs "$out/runs" --out "$out/report"
