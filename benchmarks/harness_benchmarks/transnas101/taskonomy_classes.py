"""The classes of Taskonomy that TransNAS-Bench-101 keeps, as indices into the published probabilities.

Source: yawen-d/TransNASBench, ``lib/data/class_object_final5k.npy`` and ``lib/data/class_scene_final5k.npy``, whose
entries are 1 at these indices and 0 elsewhere.
"""

from __future__ import annotations

# fmt: off
OBJECTS = (
    401, 402, 409, 412, 431, 435, 453, 462, 478, 488, 492, 495, 505, 519, 520, 521, 526, 527, 532, 534, 539,
    545, 548, 550, 553, 559, 564, 579, 588, 598, 606, 619, 620, 648, 651, 664, 681, 700, 706, 711, 713, 716,
    721, 729, 733, 736, 738, 742, 748, 750, 753, 754, 760, 765, 778, 794, 799, 804, 825, 827, 831, 844, 846,
    851, 859, 861, 882, 883, 892, 894, 897, 904, 905, 907, 999,
)
# fmt: on
"""75 of the 1,000 classes of ImageNet."""

# fmt: off
SCENES = (
    3, 25, 26, 37, 43, 45, 51, 52, 63, 89, 93, 95, 102, 106, 121, 124, 129, 131, 156, 165, 176, 177, 179, 182,
    203, 208, 215, 217, 228, 240, 244, 246, 248, 253, 264, 280, 281, 298, 303, 317, 318, 328, 332, 343, 352,
    358, 363,
)
# fmt: on
"""47 of the 365 classes of Places365."""
