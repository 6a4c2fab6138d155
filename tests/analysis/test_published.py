"""Published figures, in each of the layouts in which they came."""

import pytest

from analysis.load import ReportError, load
from analysis.summary import footer
from analysis.tables import precision_recall_f1, published
from tests.analysis.builder import CIFAR10, write

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def test_recall_by_class_in_columns():
    table = published.figures("cb_focal_beta", 100.0, CLASSES)
    assert table.columns.tolist() == [*CLASSES, "best_epoch"]
    assert table.loc["ce", ["airplane", "cat", "truck", "best_epoch"]].tolist() == [0.87, 0.297, 0.0, 0.2361]
    assert table.index.tolist() == ["ce", *(f"cb_focal beta={beta}" for beta in (0.9999, 0.9, 0.5, 0.1))]


@pytest.mark.parametrize(
    ("ratio", "ce", "ldam"), [(100.0, 0.704, 0.7703), (50.0, 0.748, 0.8103), (20.0,) * 3]
)
def test_accuracies_by_method_and_imbalance_ratio(ratio, ce, ldam):
    table = published.figures("cifar10_lt_resnet32", ratio, CLASSES)
    assert table.columns.tolist() == ["best_epoch"]
    if ratio == 20.0:
        assert table.empty
    else:
        assert table.best_epoch[["ce", "ldam_drw"]].tolist() == pytest.approx([ce, ldam])


def test_steps_with_a_row_a_class_and_a_summary_in_the_order_of_the_summary():
    table = published.figures("efficientnet_ladder", 10.0, CLASSES)
    assert table.columns.tolist() == [*CLASSES, "best_epoch"]
    assert table.index[:3].tolist() == ["baseline", "cb_sampling", "cb_sampling+mixup"]
    row = table.loc["baseline", ["airplane", "bird", "cat", "best_epoch"]]
    assert row.tolist() == [0.9290, 0.9100, 0.7700, 0.8422]
    assert table.best_epoch["cb_sampling+cutmix_tail"] == 0.7906
    assert (table[CLASSES].mean(axis=1) - table.best_epoch).abs().max() < 6e-5  # recall on balanced data


def test_they_stand_beside_cifar_10_only(tmp_path):
    about = {"published": "cb_focal_beta", "arms": {"ce": {"published": "ce"}}, "ratio": 100.0}
    assert published.frame(load(write(tmp_path / "a", **about))) is None
    frame = published.frame(load(write(tmp_path / "b", data=CIFAR10, **about)))
    assert len(frame) == 2
    first, ours = frame.iloc[0], frame.iloc[1]
    assert (first.source, first["cat"], first.best_epoch) == ("published", 0.87, 0.2361)
    assert (ours.source, ours["cat"]) == ("CE", pytest.approx(0.85))
    assert ours.macro_recall == pytest.approx(0.495)
    assert ours.best_epoch == pytest.approx(0.545)


@pytest.mark.parametrize(
    ("name", "ratio", "beside"),
    [
        ("cb_focal_beta", 10.0, False),
        ("efficientnet_ladder", 10.0, False),
        ("cifar10_lt_resnet32", 50.0, True),
    ],
)
def test_they_stand_beside_their_own_long_tail_only(tmp_path, name, ratio, beside):
    """The folder's profile is exponential; the ladder's is linear."""
    key = "baseline" if name == "efficientnet_ladder" else "ce"
    arms = {"ce": {"published": key}}
    sweep = load(write(tmp_path, data=CIFAR10, published=name, arms=arms, ratio=ratio))
    assert (published.frame(sweep) is not None) == beside
    assert any("ublished" in line for line in footer(sweep)) == beside
    assert precision_recall_f1.frame(sweep).published_recall.isna().all()


def test_a_table_that_nobody_published_is_refused(tmp_path):
    sweep = load(write(tmp_path, data=CIFAR10, published="none_such"))
    with pytest.raises(ReportError, match=r"published='none_such' is no table of .*: cb_focal_beta, eff"):
        published.frame(sweep)


def test_accuracies_alone_stand_beside_ours_without_classes(tmp_path):
    about = {"published": "cifar10_lt_resnet32", "data": CIFAR10, "ratio": 100.0}
    arms = {"ce": {"published": "ce"}, "cb": {"published": "cb_focal"}}
    frame = published.frame(load(write(tmp_path / "a", arms=arms, **about)))
    assert frame.arm.tolist() == ["ce", "", "cb_focal", ""]
    assert frame.best_epoch.tolist() == pytest.approx([0.704, 0.545, 0.7457, 1.835 / 3 + 0.05])
    assert published.display(frame).columns.tolist() == ["arm", "source", "last epoch", "best test epoch"]
    about["ratio"] = 20.0  # nobody has published it
    assert published.frame(load(write(tmp_path / "b", arms=arms, **about))) is None
