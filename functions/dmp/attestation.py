"""The attestation of opening that whoever opened a record prints for the patient (TD1.1)."""

from html import escape

from dmp.domain.civil_time import PARIS
from dmp.domain.record import Record

_PAGE = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>Attestation d'ouverture</title></head>
<body><h1>Attestation d'ouverture du Dossier Médical Partagé</h1>
<p>Un Dossier Médical Partagé a été ouvert le {opened} avec le consentement de la personne.</p>
<dl>
<dt>Nom de naissance</dt><dd>{birth_name}</dd>
<dt>Prénoms</dt><dd>{given_names}</dd>
<dt>Date de naissance</dt><dd>{birth_date}</dd>
<dt>Identité nationale de santé (INS)</dt><dd>{ins}</dd>
</dl>
<p>Cette personne peut à tout moment consulter la liste des accès, autoriser ou bloquer un professionnel, masquer un
document et clôturer son dossier.</p></body></html>
"""


def attestation_page(record: Record) -> str:
    """A page of HTML with the identity and the INS; every value is escaped."""
    identity = record.identity
    return _PAGE.format(
        opened=record.opened_at.astimezone(PARIS).strftime("%d/%m/%Y"),
        birth_name=escape(identity.birth_name),
        given_names=escape(" ".join(identity.given_names)),
        birth_date=escape("/".join(reversed(identity.birth_date.split("-")))),
        ins=escape(identity.ins.value),
    )
