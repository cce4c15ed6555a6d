"""Sources -> records: the pipeline, the Classifier and the cluster."""
