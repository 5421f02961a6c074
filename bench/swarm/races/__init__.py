"""One module for each subject: measure(contest) runs it and returns its table. What is done in one round, for Contest.round, returns
a tuple of seconds.
"""
