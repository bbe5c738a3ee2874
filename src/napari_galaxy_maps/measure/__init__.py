"""What maps come to: apertures, profiles, comparisons with a truth, figures and reports."""
