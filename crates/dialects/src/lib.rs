//! Pure codecs between the models' own request formats and Converse.
