# The certificate map that the Gateway of deploy/overlays/gke names. The records of the output dns_records prove the ownership of the hosts.
resource "google_certificate_manager_dns_authorization" "hosts" {
  for_each = var.domains

  name   = "football-${each.key}"
  domain = each.value

  depends_on = [google_project_service.used]
}

resource "google_certificate_manager_certificate" "football" {
  name = "football"

  managed {
    domains            = values(var.domains)
    dns_authorizations = [for one in google_certificate_manager_dns_authorization.hosts : one.id]
  }
}

resource "google_certificate_manager_certificate_map" "football" {
  name = "football"

  depends_on = [google_project_service.used]
}

resource "google_certificate_manager_certificate_map_entry" "hosts" {
  for_each = var.domains

  name         = "football-${each.key}"
  map          = google_certificate_manager_certificate_map.football.name
  certificates = [google_certificate_manager_certificate.football.id]
  hostname     = each.value
}
