"""Fine maps made to agree with a coarse one that is trusted more (DB21 Sect. 4.2)."""
