"""Stars of the Milky Way: found, fitted, and masked or subtracted band by band."""
