"""Who takes part. Each starts containers with a `label` of its own by create(name, instances) and takes them away by remove(name).
The clusters among them (Swarm, Davit) have the same functions for what is done to them, and for what they say.
"""
