"""What capturing costs at each call: graph breaks, guards, LazyTensor, and changing shapes."""
