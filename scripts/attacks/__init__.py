"""What `scripts/attack` does: an endpoint that counts, a bench that runs the program under bounds, and the attacks."""

from . import answers, apps, files, journals, machine, secrets, suites, texts

ATTACKS = [attack for module in (journals, answers, apps, texts, secrets, files, suites, machine) for attack in module.ATTACKS]
