"""An endpoint that echoes the key, in each place and each form; secrets that are known but are no whole key."""

import base64
import json
import urllib.parse

from .attack import Attack
from .bench import KEY, Project, demand
from .endpoint import Endpoint
from .texts import FIELDS, answer

HEADER = "header-value-98765"
FORMS = {
    "as it is": lambda key: key, "quoted": lambda key: json.dumps(f'say "{key}"'), "in JSON in JSON": lambda key: json.dumps(json.dumps({"k": key})),
    "URL-encoded": lambda key: urllib.parse.quote(key, safe=""), "in Base64": lambda key: base64.b64encode(key.encode()).decode(),
    "in Base64 with something before": lambda key: base64.b64encode(b"a:" + key.encode()).decode(),
    "in an address": lambda key: f"https://user:{key}@host/?token={key}", "twice": lambda key: key + key,
    "in a long text": lambda key: "word " * 300 + key + " word" * 300, "on a line of its own": lambda key: f"a\n{key}\nb",
}


def echoes(program, rng):
    for name, form in FORMS.items():
        for field in FIELDS:
            for secret in (KEY, HEADER):
                yield f"{secret[:6]}… {name} as {field}", lambda form=form, field=field, secret=secret: try_echo(program, form(secret), (field, secret))


def try_echo(program, text, what):
    field, secret = what
    endpoint = Endpoint(lambda inputs: ({}, 0), raw=lambda inputs, http: answer(text, field, http))
    with Project(program) as project:
        project.live(endpoint.url, f"retries: {{ count: 0 }}\nheaders: {{ X-Token: \"{HEADER}\" }}")
        project.suite("  - name: t\n    inputs: { id: \"1\" }\n    assert: [{ path: $.answer, equals: A1 }, { path: $.answer, snapshot: true }]\n")
        ended = project.run("run", "--record", "new_episodes")
        ended.check((3, 100))
        encoded = base64.b64encode(secret.encode()).decode()[:-4]
        for form in (secret, urllib.parse.quote(secret, safe=""), encoded):
            places = project.found(form, ended.text)
            demand(not places, f"{form} is in {places}")
        doctor = project.run("doctor", "--target", "live").check()
        demand(secret not in doctor.text, "doctor shows it")
    endpoint.close()


ATTACKS = [Attack("the key and a header in answers", f"{len(FORMS)} forms in {len(FIELDS)} fields, recorded, with a snapshot; the terminal and "
                  "every file are searched", echoes)]
