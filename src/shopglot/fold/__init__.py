"""Groups of pairs are dealt into folds that cannot leak."""
