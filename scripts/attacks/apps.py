"""Apps that describe themselves oddly to `init`, `doctor` and `check --against`."""

from .attack import Attack
from .bench import KEY, Project, demand
from .endpoint import Endpoint, reply
from .texts import TEXTS, check_terminal

PLACES = ["name", "label", "variable", "option", "default"]


class App(Endpoint):
    """An app of one input, with a text in one place of its description."""

    def __init__(self, place, text):
        super().__init__(lambda inputs: ({"answer": "A1"}, 0))
        given = lambda name, usual: text if place == name else usual
        field = {"label": given("label", "Query"), "variable": given("variable", "query"), "required": True, "max_length": 48,
                 "default": given("default", "x"), "options": [given("option", "a"), "b"]}
        self.documents = {"/v1/info": {"name": given("name", "app"), "description": given("name", "app"), "tags": [], "mode": "workflow", "author_name": "Admin"},
                          "/v1/parameters": {"user_input_form": [{"select": field}], "file_upload": {"enabled": False}, "system_parameters": {}}}

    def get(self, http):
        if http.path in self.documents:
            return reply(http, 200, self.documents[http.path])
        return super().get(http)


def described(program, rng):
    for place in PLACES:
        for name, text in TEXTS.items():
            yield f"{name} as {place}", lambda place=place, text=text: try_app(program, place, text)


def try_app(program, place, text):
    app = App(place, text)
    with Project(program) as project:
        key = {"DIFY_API_KEY": KEY}
        begun = project.run("init", "--base-url", app.url, more=key, seconds=30).check((0, 1, 2, 3))
        check_terminal(begun.text)
        if begun.code == 0:
            # What it wrote can be read by itself.
            checked = project.run("check", more=key, seconds=30).check((0,))
            check_terminal(checked.text)
        else:
            project.live(app.url)
            project.suite("  - name: t\n    inputs: { query: a }\n    assert: [{ path: $.answer, equals: A1 }]\n")
        for command in (["doctor", "--target", "live"], ["check", "--against", "live"]):
            ended = project.run(*command, more=key, seconds=30).check((0, 1, 2, 3))
            check_terminal(ended.text)
            demand(KEY not in ended.text, "shows the key")
        demand(not list(project.folder.rglob("PWNED*")), "a file PWNED is there")
        demand(app.count() == 0, "something was run")
    app.close()


ATTACKS = [Attack("apps that misbehave for `init`, `doctor`, `check --against`", f"{len(TEXTS)} texts in {len(PLACES)} places of what an app says of itself; "
                  "what `init` writes is read again", described)]
