"""What the bytes are, as data: one module per layer, in the words of the Xen documents."""
