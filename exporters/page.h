// The page at /: streams, alerts and the newest findings, refreshed every few seconds from the API.
// One self-contained document, no outside assets; everything it shows is put in as text, never as
// markup, and its Content-Security-Policy lets it talk to driftd only.
#pragma once

#include "exporters/http.h"

namespace driftd::exporters {

Response page();

}  // namespace driftd::exporters
