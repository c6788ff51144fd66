"""What the CapabilityStatement says in words: conventions, limits and deviations."""

STATEMENT = (
    "A shared medical record over FHIR R4: records, documents (IHE MHD, PDSm), consents (IHE PCF) and the trace "
    "(IHE BALP). What is listed works; what is not listed answers 404, 405 or is ignored."
)
REST = (
    "JSON only; bodies in another format answer 415, answers in another format 406. Every error is an "
    "OperationOutcome whose `issue.details.coding` is stable. `If-Match`, `If-None-Match`, `If-Modified-Since`, "
    "`Prefer: return=minimal|representation|OperationOutcome` and `Prefer: handling=strict|lenient` are honoured, "
    "`_format` goes before `Accept`, HEAD answers wherever GET does, a history takes `_since` and `_count`, and "
    "`X-Request-Id` is echoed and traced. A patch is a JSON Patch or a FHIRPath Patch; `If-None-Exist` takes one "
    "identifier. "
    "Searches also exist as POST `_search`; an INS never stands in a link. `Bundle.total` counts what the caller may "
    "see, and is present where the first page holds the whole result or the client asks `_total=accurate`: a deviation "
    "from MHD, which wants it always, so that a page costs the same in a small and in a large record. Links to further "
    "pages are opaque, and open to the caller and for the query they were given for alone. Repeated parameters must "
    "all hold, values with commas between are alternatives; a search takes 50 values, 4 KiB in each parameter and "
    "16 KiB in all, beyond which it answers 400. Strings are found at the beginning of an element, "
    "whatever case and accents, with the modifiers `:exact` and `:contains`; identifiers of references by "
    "`:identifier`; other modifiers answer 400. Code systems are known by URL and by OID. Dates have all prefixes of "
    "R4 (`ap`: within the length of the stated date, a day at least) and are meant in Europe/Paris where they have no "
    "time zone. `_sort` takes one key; another one, or an `_include` that is not listed, is left out, or answers 400 "
    "where handling is strict. A search that no index serves reads at most 400 entries a page: a page with few or no "
    "entries and a next link says that there is more to look through."
)
SECURITY = (
    "A bearer token (JWT, RS256 or ES256) of a trusted issuer on every request but this one: Pro Santé Connect, an "
    "establishment, the patient's identity provider or the health insurance. Who may do what follows from the token, "
    "the patient's consents and the habilitation matrix. A person's token with a claim `scope` or `scp`, whatever it "
    "says, and any other with a word of SMART (versions 1 and 2) in it, is an app's, which does what its user may as "
    "far as its scopes go, and nothing without any: `patient/` in the user's own record, `user/` wherever the user "
    "may, `system/` for servers; a scope with a query grants nothing. Binary is read with DocumentReference; $summary, "
    "$everything and $attestation need Patient.r and show types in scope alone, a Bundle of ITI-65 needs "
    "DocumentReference.c, If-None-Exist the letter s too. Other operations are never an app's, and Patient, Consent "
    "and Subscription are written by scopes that name these types."
)
TRANSACTION = (
    "Provide Document Bundle (ITI-65), all or nothing: MHD Minimal, UnContained Comprehensive and Comprehensive, and "
    "the PDSm bundle, as named in Bundle.meta.profile."
)
PATIENT = (
    "The record: its id is the record's, `active` tells whether it is open. Found by INS alone (TD0.2); opened, "
    "closed, reopened and erased by operations; the opener can print an attestation (HTML). PUT and PATCH change "
    "telecom and the extensions dmp-notification (type: a kind of message as in Communication.category; canal: "
    "message or mail; actif: true or false), by which the person chooses of what to be told. `$emergency-access` "
    "(also without an id, by `identifier`) answers the Consent that opens the record to a professional for an hour, "
    "BTG or ETREAT, with a reason; `$explain` tells the person, a legal representative and the médecin traitant, for "
    "an actor or a document, who may see what, by which rule and on which Consents. `$summary` answers an "
    "International Patient Summary: what was entered and what documents say, each once with its sources (dmp-source), "
    "of the 100 newest documents that say something at most, 150 statements a section and 5 results of a test; its "
    "warnings about treatments (Flag, DetectedIssue) rest on ATC codes alone. `$everything` answers, page by page, "
    "all that the caller may see, of the types of `_type` and changed since `_since`. `$export` has a ZIP built of "
    "all that the person, or a legal representative, may see: 202 with a Content-Location, where a GET answers 202 "
    "until it answers the ZIP (above 4 MiB a 302 to an address that holds for 60 seconds), or a manifest as of Bulk "
    "Data where `Accept` asks for JSON by name; DELETE gives it up, and after some days it answers 410."
)
DOCUMENT = (
    "ITI-67 search, with patient and status mandatory, newest date first; ITI-105 create with inline content, or "
    "without data but with contentType, size and hash: then the extension dmp-upload says where to PUT up to 100 MiB, "
    "docStatus is preliminary until they are verified, and a read gives another address for a day. PATCH of status, "
    "securityLabel and isArchived, by id, or conditionally by `identifier=system|value`; DELETE is logical. "
    "`$generate-metadata` (ITI-106) takes a CDA R2 document as a Binary and answers its DocumentReference, without "
    "storing either. The versions of a CDA share its setId as an identifier; the newest is current."
)
LIST = (
    "SubmissionSets and Folders of ITI-65, with what the caller may see of them: one without any document for the "
    "caller is not there. ITI-66 search, with patient and status mandatory, newest date first."
)
BINARY = (
    "ITI-68: the bytes as deposited, or a Binary resource where `Accept` asks for FHIR. A CDA R2 document is also a "
    "page for readers (`Accept: text/html`) and, where it embeds a file, that file (`Accept: application/pdf`); what "
    "there is not answers 406. `Range` with one range of bytes is honoured, and `If-Range`. Above 4 MiB the answer is "
    "302 to an address that holds for 60 seconds."
)
CONSENT = (
    "Authorisations, blocks, the médecin traitant, oppositions to the emergency modes, masked documents in an "
    "emergency, default visibility and delegations, in the shape of IHE PCF: Basic, or Intermediate where an emergency "
    "mode is the purpose. Two kinds are wishes, which decide no access and are read by whoever reads RelatedPerson: "
    "`advance-directives`, with a sourceReference to their DocumentReference (EXPPAT_3) where there is one, and "
    "`organ-donation` (permit or deny). A delegation names a RelatedPerson of the record, or contains one. PATCH and "
    "PUT end a Consent or change its period; an emergency access, which comes of its operation, can be ended alone. "
    "`actor=me` without a patient finds the records that authorised the caller, at most 25 a page."
)
RELATED_PERSON = (
    "The people around the patient. The person and legal representatives write all of them, whoever feeds the record "
    "tells of people and writes those alone that they told of last (extension dmp-recorded-by); a caregiver names "
    "nobody with an INS. DELETE is logical and ends the delegations that name the person, 409 where the caller ends "
    "none; the INS of a person does not change while a delegation rests on it. Nobody can be masked (422), and literal "
    "references are as in the profile."
)
CARE_TEAM = (
    "The médecin traitant and the authorised professionals and structures at this moment, with the period of each: one "
    "a record, for whoever reads RelatedPerson. It follows from the Consents, so nobody writes it and it has no "
    "versions."
)
PROFILE = (
    "The structured profile: what the patient and those who act for them, and professionals, entered, the newest "
    "first; then what the data of documents say, as candidates. `meta.tag` tells the origin (patient, professional, "
    "document), the extension dmp-recorded-by who entered it, dmp-source in which document and section it was found. "
    "A candidate is there while its document is current and open to the caller; it is read and found, never changed. "
    "`If-None-Exist` takes search parameters. PUT is for the author; one under another `meta.security` alone, or a "
    "PATCH of it, masks, and a PUT without labels leaves them. DELETE is logical, and so is a PUT of what says that "
    "it was entered in error. dmp-recorded-by names who said the content last; other labels change no author. A "
    "literal reference is contained, or to the Patient or something else of the same record; others answer 422, "
    "logical ones are free. INVISIBLE_PATIENT means nothing any more some months after it was first set (a parameter "
    "of the operator), without a new version. The measures of the health profile are numbers in UCUM units that can be."
)
BATCH = (
    "Reimbursements by the insurer: up to 1,000 entries, each POST ExplanationOfBenefit, `ifNoneExist` with one "
    "identifier. Each entry is answered by itself: 201, 200 where its line is there already, or its own status and "
    "OperationOutcome. A batch may be sent again whole."
)
REIMBURSEMENT = (
    "The history of reimbursements, the newest care first. The insurer creates lines, one by one or in a batch; they "
    "never change. A line is known by its identifiers, or by all its content where it has none: the same content again "
    "answers 200 with the first, other content 409. The day of care is the last day of the items' serviced[x], else of "
    "billablePeriod, else `created`; `service-date` and `date` ask for it. A line is shown until the end of the same "
    "day 24 months later (a parameter of the operator) and looks as if it had never been after it; what is older is "
    "refused, and so are acts that a minor may keep secret."
)
COMMUNICATION = (
    "What people are told of a record, newest first: the person and legal representatives by `recipient=Patient/[id]`, "
    "a professional by `recipient=me`, at most 25 a page. PATCH marks one as read (`completed`) or unread "
    "(`in-progress`). References to documents that the reader may not see now are left out."
)
AUDIT_EVENT = (
    "The trace of one record, newest first, shaped by IHE BALP and MHD; readable by the patient, a representative and "
    "the médecin traitant, and by nobody changed. Each event names the profile it conforms to."
)
SUBSCRIPTION = (
    "A web hook for the software of a professional who may read the record: rest-hook over HTTPS on `criteria` "
    "DocumentReference?patient=[id], without payload or headers of the client's, for a year at most. An empty POST "
    "tells that a document which its owner may see is new or has changed; it is repeated, with the same `X-DMP-Event`, "
    "until it is answered 2xx; 410 turns the Subscription off, five failures leave it in error. `X-DMP-Signature` is "
    "`v1=` and the HMAC-SHA256, in hexadecimal, of the values of `X-DMP-Timestamp` (seconds), `X-DMP-Event` and "
    "`X-DMP-Subscription` with dots between, under the text of the extension dmp-webhook-secret, which the answer to "
    "the creation alone shows."
)
COUNT = "Entries a page: 20 where it is not given, 100 at most; a page may hold fewer than there are to come."
PARAMETERS = {
    "patient": "Patient/[id]; this or patient.identifier is mandatory",
    "patient.identifier": "system|value of the INS",
    "subject": "As patient",
    "subject.identifier": "As patient.identifier",
    "_content": "Words of titles, descriptions and contents, without case and accents, all of them; from three "
    "letters on, the beginnings of words. A value with commas: the words of one of its parts. Contents are searched "
    "once they were read, some seconds after the deposit",
    "service-date": "The day of care",
    "item-code": "The code of an act, a product or a procedure",
    "act": "As item-code",
    "_sort": "date, service-date of reimbursements, _lastUpdated of documents, or _id; with a minus the other way",
    "period": "The time of the service overlaps what is given; one without an end lasts",
    "related": "A reference, or the identifier of one",
    "relatesto": "A reference, or the identifier of one",
    "author.name": "Any name of a person, structure or device, or what the reference displays",
    "agent": "system|value, or the value alone, of who acted or of the structure",
    "entity": "A reference that was touched, or its id alone",
    "recipient": "Patient/[id], or `me`; mandatory",
    "actor": "system|value of a professional or structure, `me`, or the RelatedPerson of a delegation",
}
