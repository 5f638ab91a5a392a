"""The errors a person can mend; the command line prints them as one sentence and ends with exit code 2."""


class ShopglotError(Exception):
    """One sentence that names the thing, the place and the remedy."""


class DataError(ShopglotError):
    """A file or table that cannot be read as labelled pairs."""


class RecipeError(ShopglotError):
    """A recipe or setting that cannot be followed."""


class BundleError(ShopglotError):
    """A bundle or model folder that is incomplete, changed or not ours."""


class TrainingError(ShopglotError):
    """A training run that ended before its time; what it kept is whole, and it can go on."""


class ClusterError(ShopglotError):
    """A cluster that cannot be reached or used; what is finished is whole, and the work can go on."""
