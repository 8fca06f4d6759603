"""The API's resources, one file each: the route, what is sent, which service is called, what is answered."""
