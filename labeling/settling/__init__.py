"""Parts of adjudication: which votes count under the present codebook, and what the votes on a sentence settle."""
