"""The API's description: an OpenAPI document and a page to read, made of the code that they describe.

Routes and scopes come from `healthscore.http.router.ROUTES`, requests from the schemas that check them, limits from
the constants that enforce them. What the code cannot say of itself is written here: what a route is for, what each
field means, and what answers look like, which the tests hold against the answers themselves.
"""
