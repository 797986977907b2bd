"""Boosted trees of XGBoost, LightGBM and CatBoost: what their lists say that is not so."""
