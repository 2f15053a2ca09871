"""Ways in which errors of the output reach hidden layers, by the name a file gives as ``optimizer.feedback``.

To add one: write ``_name.pyx`` (its ``send_back``) and ``name.py`` (a ``FeedbackKind``), then give it a row here.
Nothing else in the package changes.
"""

from spikenn_cy.layers.feedbacks.classwise import Mirrored
from spikenn_cy.layers.feedbacks.classwise import Random
from spikenn_cy.layers.feedbacks.settings import FeedbackKind
from spikenn_cy.layers.feedbacks.transport import Transported

FEEDBACKS: dict[str, FeedbackKind] = {
    "transport": Transported(),
    "mirrored": Mirrored(),
    "random": Random(),
}
