# The public names of `import scribblebench as sb`: read by type checkers, and at run time by lazy_loader.
from .api.data import LabelledPictures as LabelledPictures
from .api.data import load_truth as load_truth
from .api.data import load_variant as load_variant
from .api.losses import dense_crf as dense_crf
from .api.losses import entropy as entropy
from .api.losses import gated_crf as gated_crf
from .api.losses import normalise as normalise
from .api.losses import normalized_cut as normalized_cut
from .api.losses import partial_cross_entropy as partial_cross_entropy
from .api.losses import self_supervision as self_supervision
from .api.losses import tree_energy as tree_energy
from .api.scores import class_iou as class_iou
from .api.scores import confusion_matrix as confusion_matrix
from .api.scores import mean_iou as mean_iou
from .api.strokes import degrade as degrade
from .api.strokes import draw as draw
from .api.strokes import trace as trace
from .api.variants import make_variant as make_variant

__version__: str
