"""The ASGI application: SOAP paths, JSON APIs, health and metrics. The only importer of the web framework."""
