"""New models over the air: what is signed, how it is fetched, and where it is kept.

    HTTPS server                     the device
    model.tflite.manifest.json ──▶ fetch ──▶ Candidate ──▶ trial ──▶ ModelStore ──▶ camera
    model.tflite ────────────────▶   │ checks, resumes      │ refuses    │ on trial, then confirmed or rolled back

A manifest says which model it is for, by its SHA-256; its signature is checked with a key that lies on the device.
So neither the server nor the network has to be trusted: they can only withhold a model.
"""
