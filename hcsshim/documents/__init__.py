"""Every JSON document of HCS as a frozen class, and their way to and from JSON."""
