"""What a workspace chooses for a CRM."""

from __future__ import annotations

import pytest

from healthscore.integrations.crm import options
from healthscore.integrations.crm.attio import AttioOptions
from healthscore.integrations.crm.hubspot import HubSpotOptions
from healthscore.integrations.crm.registry import PROVIDERS, secrets_of


@pytest.mark.parametrize("kind", [HubSpotOptions, AttioOptions])
def test_read__what_was_written__is_read_back(kind):
    assert options.read(kind, kind().to_json()) == kind()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"colour": "red"}, "there is no option 'colour'"),
        ({"write_back": 1}, "write_back must be true or false"),
        ({"high_priorities": "HIGH"}, "must be a list"),
        ({"high_priorities": [1]}, "must be a list"),
        ({"webhook_url": None}, "must be a string"),
        ({"account_property": "a" * 201}, "at most 200"),
        ({"calls_per_10_seconds": 0}, "from 1 to 1000"),
        ({"calls_per_10_seconds": True}, "whole number"),
    ],
)
def test_read__wrong__is_refused_in_words(body, words):
    with pytest.raises(ValueError, match=words):
        options.read(HubSpotOptions, body)


def test_secrets__of_a_provider__are_its_own():
    text = '{"hubspot": {"token": "t"}}'
    assert (secrets_of("hubspot", text), secrets_of("attio", text)) == ({"token": "t"}, {})


@pytest.mark.parametrize("text", ["", "[]", '{"hubspot": 1}', '{"hubspot": {"token": 1}}'])
def test_secrets__of_another_form__are_refused_without_quoting_them(text):
    with pytest.raises(ValueError, match="the secret"):
        secrets_of("hubspot", text)


def test_providers__each__has_options_with_the_common_ones():
    for name, provider in PROVIDERS.items():
        assert provider.options().to_json().keys() >= {"account_property", "write_back", "webhook_url"}, name
