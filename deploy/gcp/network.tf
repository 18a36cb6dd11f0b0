# A private network: nodes and the database have no public address. Cloud SQL's range is the one that the network policy
# of deploy/overlays/gke allows.
resource "google_compute_network" "football" {
  name                    = "football"
  auto_create_subnetworks = false

  depends_on = [google_project_service.used]
}

resource "google_compute_subnetwork" "nodes" {
  name                     = "football-nodes"
  network                  = google_compute_network.football.id
  region                   = var.region
  ip_cidr_range            = "10.10.0.0/20"
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = "10.32.0.0/14"
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = "10.36.0.0/20"
  }
}

# Synchronisation with the sources of results, and the proxy's identity provider.
resource "google_compute_router" "nat" {
  name    = "football"
  network = google_compute_network.football.id
  region  = var.region
}

resource "google_compute_router_nat" "nodes" {
  name                               = "football"
  router                             = google_compute_router.nat.name
  region                             = var.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
}

resource "google_compute_global_address" "database" {
  name          = "football-database"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  address       = "10.20.0.0"
  prefix_length = 24
  network       = google_compute_network.football.id
}

# Address of the Gateway of deploy/overlays/gke. The records of the hosts name it, so it outlives the Gateway.
resource "google_compute_global_address" "gateway" {
  name = "football-gateway"

  depends_on = [google_project_service.used]
}

resource "google_service_networking_connection" "database" {
  network                 = google_compute_network.football.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.database.name]
}
