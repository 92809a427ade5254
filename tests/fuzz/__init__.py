"""Inputs that nobody here wrote: pyca/cryptography's test vectors, and what a coverage-guided fuzzer comes up with."""
