"""What real connections and the emulators share of HTTP; it holds nothing of the protocol that the emulators check."""
