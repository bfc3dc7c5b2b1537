"""What most kinds of records have in common, as the model tests know them."""

from clearinghouse.ochp.versions import ORDER


class AnyKind:
    """A kind of record of which every version has lists and deltas."""

    versions = ORDER
    takes_back = True
    """Whether a delta can say that a record is gone, or no longer the reader's to see."""
    needs_time = False
    """Whether the order of two events is only told by their times, so that time has to pass between them."""

    @staticmethod
    def verdict(*, connected):
        """The result code of a full list."""
        return "ok" if connected else "roaming"

    @staticmethod
    def seen_by(record, own_ids):
        """What of a record a reader sees that is connected to its owner under these IDs, or None."""
        return record

    @staticmethod
    def check_single(chance, handlers, partner, version, visible, now):
        """There is no look-up of a single record."""
