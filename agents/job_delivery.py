"""What brings jobs to workers, as the policy says."""

from ringfence.conversations.job_delivery import Delivery
from ringfence.conversations.job_settings import JobSettings
from ringfence.conversations.store import Store


def delivery_of(settings: JobSettings, store: Store) -> Delivery | None:
    """The delivery of the policy's `jobs.delivery`; None when workers listen to the store.

    Raises:
        PolicyError: The store is not on PostgreSQL, or procrastinate is not installed.
    """
    if settings.delivery == "local":
        return None
    from ringfence.agents.procrastinate_delivery import ProcrastinateDelivery

    return ProcrastinateDelivery(store)
