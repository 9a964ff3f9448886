// The body of a webhook: a CloudEvents 1.0 event in structured JSON.
//
// {"specversion","id","source","type","subject","time","datacontenttype","data":{"alerts":[...],
// "findings":[...]}}: alerts and findings as in driftd's JSON lines. The same message gives the
// same bytes on every attempt. Bodies stay below 20 kB (Standard Webhooks' advice) by leaving out
// the oldest findings, counted in "findings_left_off"; when alerts alone are too long, by the ids
// of their older findings.
#pragma once

#include <string>

#include "alerts/notifier.h"

namespace driftd::alerts {

inline constexpr std::size_t kMaxEventBody = 20000;
inline constexpr const char* kCloudEventType = "application/cloudevents+json";

// `source`: where driftd is reachable; empty: "urn:driftd". `more`: members of data to put in
// front, as JSON with a comma behind each ("" for none).
std::string cloud_event(const Message& message, const std::string& source, const std::string& more = "");

}  // namespace driftd::alerts
