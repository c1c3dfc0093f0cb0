//! Weighted Maglev rings without collateral moves.
