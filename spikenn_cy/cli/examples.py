"""What the help of each command ends with: two examples, and the page of the documentation that has more."""

EXAMPLES = {
    "run": ("getting-started", "spikenn-cy run", "spikenn-cy run data/gs out/run config.json --set trainer.epochs=20"),
    "kfold": (
        "scaling-out",
        "spikenn-cy kfold data/kfold out/kfold config.json --K 5",
        "spikenn-cy kfold data/kfold out/kfold best.json --n_proc 4",
    ),
    "score": ("commands", "spikenn-cy score out/kfold", "spikenn-cy score out/kfold --json"),
    "compare": (
        "commands",
        "spikenn-cy compare out/first out/second",
        "spikenn-cy compare out/first out/second --latex --figure both.pdf",
    ),
    "gridsearch": (
        "configuration",
        "spikenn-cy gridsearch data/gs out/gs grid.json",
        'spikenn-cy gridsearch data/gs out/gs config.json --set "optimizer.ap=[0.1, 0.05]"',
    ),
    "best": ("commands", "spikenn-cy best out/gs --N 3", "spikenn-cy best out/gs --save best.json"),
    "ablation": (
        "commands",
        "spikenn-cy ablation neurons data/kfold out/neurons config.json --neurons 20 30 --K 3",
        "spikenn-cy ablation thresholds data/kfold out/thresholds config.json --K 3",
    ),
    "plot": ("pictures", "spikenn-cy plot spikenn-demo", "spikenn-cy plot out/run --input data/gs --format svg"),
    "cost": (
        "cost",
        "spikenn-cy cost out/run --input data/gs",
        "spikenn-cy cost out/run --input data/gs --energy mac=4.6 add=0.9 --json",
    ),
    "quantize": (
        "deploy",
        "spikenn-cy quantize out/run --input data/gs",
        "spikenn-cy quantize out/run --input data/gs --bits 4 --time_bits 6 --out quantised.npz",
    ),
    "export": (
        "exchange",
        "spikenn-cy export out/run network.nir",
        "spikenn-cy export out/run norse.nir --reader norse --dt 0.01",
    ),
    "import": (
        "exchange",
        "spikenn-cy import network.nir network.npz",
        "spikenn-cy import network.nir network.npz --dt 0.001 --max_time 0.1",
    ),
    "convert": (
        "data",
        "spikenn-cy convert X.npy y.npy data/trainset.npz",
        "spikenn-cy convert X.npy y.npy data/trainset.npz --max_time 255",
    ),
    "encode": (
        "own-data",
        "spikenn-cy encode flowers.csv data --label species --n_fields 4",
        "spikenn-cy encode X.npy data --label y.npy --split 80/0/20",
    ),
    "digits": ("commands", "spikenn-cy digits data", "spikenn-cy digits data --K 3"),
    "dataset": (
        "datasets",
        "spikenn-cy dataset mnist data/mnist",
        "spikenn-cy dataset folder pictures data/own --size 28x28",
    ),
    "extract": (
        "extraction",
        "spikenn-cy extract stdp-csnn data/mnist/kfold features/mnist",
        "spikenn-cy extract pixels data/mnist/kfold/0 features/pixels --seed 1",
    ),
    "reproduce": (
        "reproducing",
        "spikenn-cy reproduce digits out/digits",
        "spikenn-cy reproduce table1 out/table1 --dataset mnist --rule s2stdp+ncg --K 2",
    ),
    "predict": (
        "own-data",
        "spikenn-cy predict digit.png",
        "spikenn-cy predict new.csv --readout out/run --encoder data",
    ),
}


def ending(command: str) -> str | None:
    """Return what the help of a command ends with; None if there are no examples of it."""
    if command not in EXAMPLES:
        return None
    page, *lines = EXAMPLES[command]
    return "\n".join(["examples:", *(f"  {line}" for line in lines), f"more: docs/{page}.md"])
