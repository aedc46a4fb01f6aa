"""The lectures without a server: JupyterLite, with Python compiled for the browser.

`binaries` fetches what the site is made of and holds every file against the hash it must have;
`image` lays Python's packages out as one archive that the browser unpacks in a second; `site` puts
JupyterLite around it; `stored` keeps what cells that cannot run there have shown elsewhere.
`kernel` is the one module that runs in the browser.
"""
