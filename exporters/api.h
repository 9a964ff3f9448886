// The HTTP interface of docs/ARCHITECTURE.md over an ApiSource: metrics, health, the JSON API and
// the page.
//
//   GET  /metrics  /-/healthy /healthz  /-/ready /readyz  /          POST|PUT /-/reload
//   GET  /api/v1/streams  /api/v1/findings  /api/v1/alerts  /api/v1/references[/NAME@V]
//   /api/v1/units POST /api/v1/streams/S/records  /api/v1/references/NAME/promote
//
// Parameters are checked here: an unknown query parameter, a bad time or limit is a 400 that names
// it. Requests that change something are refused (403) when a browser sent them from another site.
// Thread-safety: the routes may be called concurrently.
#pragma once

#include "core/telemetry.h"
#include "exporters/api_source.h"
#include "exporters/http.h"

namespace driftd::exporters {

inline constexpr std::size_t kMaxFindingsPage = 1000;

// Both must outlive the Router.
Router api_router(ApiSource& source, const Telemetry& telemetry);

}  // namespace driftd::exporters
