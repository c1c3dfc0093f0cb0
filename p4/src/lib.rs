//! P4_16 as a language: syntax tree, printer, parser, architecture skeletons and P4Info.
