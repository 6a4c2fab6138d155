"""What is done in evaluation alone, recomputed from the weights of the snapshot; and averaged weights."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lt_core.batches.augment import Normalise
from lt_core.config import TrainConfig
from lt_core.data.split import make_split
from lt_core.evaluation.inference import views
from lt_core.evaluation.metrics import confusion_matrix
from lt_core.evaluation.posthoc import TAUS, recall_by_tau
from lt_core.models import MODELS
from lt_core.models.classifiers import CosineLinear, ScaledLinear, tau_normalised
from tests.lt_core.runs import FAST, counts, run, training

ONE = {"epochs": 1, "channels_last": False}


@pytest.fixture(scope="module")
def plain(digits):
    return run(digits, **ONE)[0]


@pytest.fixture(scope="module")
def trained(digits):
    return training(digits, epochs=2)


def loaded(state):
    """The ConvNet with these weights, without the loop that they come from."""
    model = MODELS["convnet"](10, 1, 8)
    model.load_state_dict(state)
    return model.eval().requires_grad_(False)


def evaluated(data):
    """The normalised validation images and their labels."""
    split = make_split(TrainConfig(**FAST), data, "cpu")
    return Normalise(split.images)(split.eval_images).contiguous(), split.eval_labels


def log_prior(data):
    n = counts(data)
    return torch.tensor(np.log(n / n.sum()))


def agrees(epoch, logits, labels):
    """Whether the epoch's evaluation is that of these logits."""
    assert epoch.eval_loss == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-4)
    agrees_by_class(epoch, logits, labels)


def agrees_by_class(epoch, logits, labels):
    expected = confusion_matrix(labels.numpy(), logits.argmax(dim=1).numpy(), 10)
    assert epoch.eval_confusion.tolist() == expected.tolist()


@pytest.mark.parametrize(
    "knobs",
    [{"tta": "horizontal"}, {"tta": "both"}, {"tau_norm": 1.0}, {"posthoc_tau": 1.0}, {"ema_decay": 0.9}],
    ids=str,
)
def test_evaluation_does_not_touch_training(digits, trained, knobs):
    assert training(digits, epochs=2, **knobs) == trained


def test_plain_evaluation_is_that_of_the_snapshots_weights(digits, plain):
    epoch, state = plain
    images, labels = evaluated(digits)
    agrees(epoch, loaded(state["model"])(images), labels)


@pytest.mark.parametrize(
    ("tta", "flips"),
    [
        ("horizontal", [(), (3,)]),
        ("vertical", [(), (2,)]),
        ("both", [(), (3,), (2,), (2, 3)]),
    ],
)
def test_tta_averages_probabilities_over_flips(digits, plain, tta, flips):
    ((epoch, state),) = run(digits, tta=tta, **ONE)
    images, labels = evaluated(digits)
    model = loaded(state["model"])
    mean = sum(model(images.flip(axes)).softmax(dim=1) for axes in flips) / len(flips)
    agrees(epoch, mean.log(), labels)
    assert epoch.eval_loss != plain[0].eval_loss


def test_horizontal_mirrors_left_and_right():
    image = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    found = [view[0, 0].tolist() for view in views(image, "both")]
    assert found == [[[1, 2], [3, 4]], [[2, 1], [4, 3]], [[3, 4], [1, 2]], [[4, 3], [2, 1]]]


@pytest.mark.parametrize("split", ["val", "test"])
@pytest.mark.parametrize("tau", [0.5, 1.0])
def test_tau_norm_divides_weights_by_their_norms(digits, tau, split):
    ((epoch, state),) = run(digits, tau_norm=tau, evaluate_on=split, **ONE)
    made = make_split(TrainConfig(**FAST | {"evaluate_on": split}), digits, "cpu")
    model = loaded(state["model"])
    features = model.features(Normalise(made.images)(made.eval_images).contiguous()).tolist()
    rows = state["model"]["classifier.weight"].tolist()
    scaled = [np.array(row) / sum(x * x for x in row) ** (tau / 2) for row in rows]
    logits = torch.tensor(np.array([[row @ np.array(x) for row in scaled] for x in features]))
    agrees(epoch, logits, made.eval_labels)


@pytest.mark.parametrize("tau", [0.5, 2.0])
def test_posthoc_adjustment_takes_tau_log_priors_off(digits, plain, tau):
    ((epoch, state),) = run(digits, posthoc_tau=tau, **ONE)
    images, labels = evaluated(digits)
    logits = loaded(state["model"])(images)
    agrees_by_class(epoch, logits - tau * log_prior(digits), labels)
    assert epoch.eval_loss == plain[0].eval_loss  # the loss is the model's own
    assert epoch.eval_confusion.tolist() != plain[0].eval_confusion.tolist()


def test_recall_by_tau_has_the_recalls_of_every_posthoc_run(digits, plain):
    for tau in (0.5, 1.0, 2.0):
        ((epoch, _),) = run(digits, posthoc_tau=tau, **ONE)
        row = plain[0].recall_by_tau[TAUS.index(tau)]
        assert epoch.macro_recall == pytest.approx(row.mean())
        assert (np.diag(epoch.eval_confusion) / 20).tolist() == pytest.approx(row.tolist())


def test_recall_by_tau_by_value():
    """With priors 0.8 and 0.2 the second class wins where the logits differ by less than tau log 4."""
    logits = torch.tensor([[1.0, 0.0], [2.0, 0.0], [1.0, 0.0], [2.5, 0.0]])
    recall = recall_by_tau(logits, torch.tensor([0, 0, 1, 1]), torch.log(torch.tensor([0.8, 0.2])))
    assert recall.shape == (21, 2)
    assert recall[TAUS.index(0.0)].tolist() == [1, 0]
    assert recall[TAUS.index(0.7)].tolist() == [1, 0]  # 0.97
    assert recall[TAUS.index(0.8)].tolist() == [0.5, 0.5]  # 1.11
    assert recall[TAUS.index(1.5)].tolist() == [0, 0.5]  # 2.08
    assert recall[TAUS.index(2.0)].tolist() == [0, 1]  # 2.77


def test_a_class_without_support_has_no_recall():
    recall = recall_by_tau(torch.eye(3), torch.tensor([0, 1, 1]), torch.zeros(3))
    assert np.isnan(recall[:, 2]).all()


def replayed(weights, decay):
    """The average after the last of ``weights``, by plain arithmetic."""
    average = weights[0]
    for t, now in enumerate(weights[1:], start=1):
        kept = min(decay, (1 + t) / (10 + t))
        average = [kept * a + (1 - kept) * w for a, w in zip(average, now, strict=True)]
    return average


@pytest.mark.parametrize("decay", [0.25, 0.999])
def test_averaged_weights_are_those_of_a_plain_replay(digits, decay):
    """One step an epoch, so that the snapshots hold the weights after every step."""
    states = [state for _, state in run(digits, ema_decay=decay, epochs=6, batch_size=4096, lr=0.01)]
    for name, found in states[-1]["average"].items():
        if name.startswith("module.") and found.is_floating_point():
            history = [state["model"][name[7:]].flatten().tolist() for state in states]
            assert found.flatten().tolist() == pytest.approx(replayed(history, decay), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("tau_norm", [0.0, 1.0])
def test_averaged_weights_are_what_is_evaluated(digits, plain, tau_norm):
    ((epoch, state),) = run(digits, ema_decay=0.9, tau_norm=tau_norm, **ONE)
    images, labels = evaluated(digits)
    average = {name[7:]: value for name, value in state["average"].items() if name.startswith("module.")}
    model = loaded(average)
    if tau_norm:
        model.classifier.bias.zero_()
        model.classifier.weight /= model.classifier.weight.norm(dim=1, keepdim=True)
    agrees(epoch, model(images), labels)
    assert epoch.eval_loss != plain[0].eval_loss


def test_a_ramp_that_never_ends_is_any_decay_above_it(digits):
    """Before step 10 / 0.1 the ramp is below 0.9 and decides alone."""
    losses = [run(digits, ema_decay=decay, **ONE)[0][0].eval_loss for decay in (0.9, 0.9999)]
    assert losses[0] == losses[1]


def test_a_cosine_classifier_by_value():
    classifier = CosineLinear(2, 3, scale=30.0)
    classifier.weight.data = torch.tensor([[2.0, 0.0], [0.0, 0.5], [-3.0, -3.0]])
    logits = classifier(torch.tensor([[7.0, 0.0], [1.0, 1.0]]))
    root = 30 / 2**0.5
    torch.testing.assert_close(logits, torch.tensor([[30.0, 0.0, -root], [root, root, -30.0]]))


def test_a_scaled_classifier_by_value():
    fixed = torch.nn.Linear(3, 2)
    scaled, x = ScaledLinear(fixed), torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(scaled(x), fixed(x))
    scaled.scale.data = torch.tensor([2.0, -1.0])
    torch.testing.assert_close(scaled(x), fixed(x) * torch.tensor([2.0, -1.0]))


@pytest.mark.parametrize(
    ("tau", "expected"), [(0.0, [11.0, 8.0]), (0.5, [5**0.5 * 2.2, 8.0]), (1.0, [2.2, 8.0])]
)
def test_a_tau_normalised_classifier_by_value(tau, expected):
    classifier = torch.nn.Linear(2, 2)
    classifier.weight.data = torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    x = torch.tensor([[-7.0, 8.0]])
    torch.testing.assert_close(tau_normalised(classifier, tau)(x), torch.tensor([expected]))
