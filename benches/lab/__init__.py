"""What the parts of the bench stand on: the machine, the servers, an installation, a process that is watched, the page of results."""
