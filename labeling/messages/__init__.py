"""What `status`, `push`, `pull` and `adjudicate` print: a module for each of them."""
