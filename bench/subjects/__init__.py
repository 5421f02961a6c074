"""One module for each subject: measure(stage) runs it and returns its table."""
