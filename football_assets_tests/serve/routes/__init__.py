"""Tests of the routes of the HTTP API, on the application in this process and on `football serve`."""
