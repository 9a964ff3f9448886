// ServiceApi: what the HTTP API asks, answered by the running service. Thread-safe, as exporters/api_source.h
// wants.
#pragma once

#include "app/run/service.h"
#include "exporters/api_source.h"

namespace driftd::app {

class ServiceApi final : public exporters::ApiSource {
 public:
  explicit ServiceApi(Service& service) : service_(service) {}

  void measure() override { service_.measure(); }
  exporters::Readiness ready() const override;
  std::vector<exporters::StreamView> streams() const override;
  Result<exporters::FindingsPage> findings(const exporters::FindingsQuery& query) const override;
  std::vector<Alert> alerts() const override;
  Result<std::vector<exporters::ReferenceView>> references() const override;
  Result<std::string> reference_json(const std::string& name, const std::string& selector) const override;
  std::vector<exporters::UnitView> units() const override;
  exporters::Submission submit(const std::string& stream, const std::string& body, const std::string& content_type) override;
  Status reload() override { return service_.reload(); }
  Result<std::uint32_t> promote(const exporters::Promotion& promotion) override;

 private:
  Service& service_;
};

}  // namespace driftd::app
