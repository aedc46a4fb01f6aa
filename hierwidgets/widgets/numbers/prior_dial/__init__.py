"""The numbers of the prior dial: priors to turn, draws by weights, quantities, words."""
