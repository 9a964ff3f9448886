// Reads what clients send to the API: query parameters, the promote body, where a request came
// from. Each returns what it read, or the problem document to answer with.
#pragma once

#include <optional>
#include <variant>

#include "exporters/api_source.h"
#include "exporters/http.h"

namespace driftd::exporters {

template <class T>
using OrProblem = std::variant<T, Response>;

// stream, since (RFC 3339), verdict (one or several, separated by commas), limit (1 to 1000),
// cursor.
OrProblem<FindingsQuery> read_findings_query(const Request& request);

// {"version": 3 | "TAG or ALIAS", "alias": "production", "at": "RFC 3339"}; only version is
// required. 413 above 4 KiB.
OrProblem<Promotion> read_promotion(const Request& request);

// 403 for a request that a browser sent on behalf of another site (Sec-Fetch-Site, Origin), or of one at
// a host name: only an IP address and localhost cannot be rebound to this machine. Other clients send
// neither header.
std::optional<Response> cross_site_problem(const Request& request);

}  // namespace driftd::exporters
