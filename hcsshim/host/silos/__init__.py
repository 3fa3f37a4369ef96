"""Where the processes of a system run: namespaces of Linux, job objects of Windows."""
