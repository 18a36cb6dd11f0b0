# The certificate map that the Gateway of deploy/overlays/gke names. The records of the output dns_records prove the ownership of the hosts.
resource "google_certificate_manager_dns_authorization" "hosts" {
  for_each = var.domains

  name   = "football-${each.key}"
  domain = each.value

  depends_on = [google_project_service.used]
}

# One certificate for each host: the hosts of a certificate cannot be changed, and one that is in use cannot be deleted.
resource "google_certificate_manager_certificate" "hosts" {
  for_each = var.domains

  name = "football-${each.key}"

  managed {
    domains            = [each.value]
    dns_authorizations = [google_certificate_manager_dns_authorization.hosts[each.key].id]
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
  certificates = [google_certificate_manager_certificate.hosts[each.key].id]
  hostname     = each.value
}
