// An ApiSource with one stream, one alert and some findings, whose answers tests can change.
#pragma once

#include "core/text.h"
#include "exporters/api_source.h"
#include "tests/exporters/findings_for_test.h"

namespace driftd::exporters {

class FakeApiSource : public ApiSource {
 public:
  FakeApiSource() {
    for (int i = 0; i < 5; ++i) ring.append({finding(i)});
    StreamView stream;
    stream.name = "pumps";
    stream.source = "kafka";
    stream.source_up = true;
    stream.fields = {"temperature"};
    stream.window = "5m";
    stream.accepted = 12;
    stream_views = {stream};
    Alert alert;
    alert.fingerprint = "0123456789abcdef";
    alert.stream = "pumps";
    alert.state = AlertState::kFiring;
    alert.starts_at = 0;
    alert.summary = "temperature of pumps out of range";
    alert_list = {alert};
  }

  void measure() override { ++measured; }
  Readiness ready() const override { return readiness; }
  std::vector<StreamView> streams() const override { return stream_views; }
  Result<FindingsPage> findings(const FindingsQuery& query) const override { return ring.query(query); }
  std::vector<Alert> alerts() const override { return alert_list; }
  Result<std::vector<ReferenceView>> references() const override {
    ReferenceView view;
    view.name = "pumps";
    view.version = 3;
    view.hash = "abc";
    view.aliases = {"production"};
    view.created_at = 0;
    return std::vector<ReferenceView>{view};
  }
  Result<std::string> reference_json(const std::string& name, const std::string& selector) const override {
    if (name != "pumps") return Error{ErrorCode::kNotFound, "no reference " + name};
    std::string json = "{\"selector\":";
    append_json_string(json, selector);
    return json + "}";
  }
  std::vector<UnitView> units() const override {
    Descriptor d;
    d.name = "in_range";
    d.params = {{"min", ParamType::kNumber, "lowest good value", "0", false, -1.0}};
    d.reasons = {{"out_of_range", "outside"}};
    return {{"check", d}};
  }
  Submission submit(const std::string& stream, const std::string& body, const std::string& content_type) override {
    submitted = stream + "|" + body + "|" + content_type;
    return submission;
  }
  Status reload() override {
    ++reloads;
    return reload_status;
  }
  Result<std::uint32_t> promote(const Promotion& wanted) override {
    promotion = wanted;
    if (wanted.version == "9") return Error{ErrorCode::kNotFound, "pumps has no version 9"};
    return 3U;
  }

  FindingsRing ring{100, 1};
  Readiness readiness{true, {}};
  std::vector<StreamView> stream_views;
  std::vector<Alert> alert_list;
  Submission submission{Submission::Result::kAccepted, 2, kSecond, ""};
  std::string submitted;
  int reloads = 0;
  int measured = 0;
  Status reload_status;
  Promotion promotion;
};

}  // namespace driftd::exporters
