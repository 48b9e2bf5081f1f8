"""Stand-in for a ScaleIO / VxFlex OS / PowerFlex system: state model, REST API, Gateway."""
