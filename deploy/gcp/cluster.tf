# The cluster: private nodes, Dataplane V2 for network policies, Workload Identity, managed Prometheus, the Gateway API.
resource "google_container_cluster" "football" {
  name                     = "football"
  location                 = var.region
  node_locations           = var.zones
  network                  = google_compute_network.football.id
  subnetwork               = google_compute_subnetwork.nodes.id
  datapath_provider        = "ADVANCED_DATAPATH"
  remove_default_node_pool = true
  initial_node_count       = 1
  deletion_protection      = var.deletion_protection

  release_channel {
    channel = "REGULAR"
  }

  workload_identity_config {
    workload_pool = "${var.project}.svc.id.goog"
  }

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  private_cluster_config {
    enable_private_nodes = true
  }

  master_authorized_networks_config {
    dynamic "cidr_blocks" {
      for_each = var.administrators
      content {
        display_name = cidr_blocks.key
        cidr_block   = cidr_blocks.value
      }
    }
  }

  gateway_api_config {
    channel = "CHANNEL_STANDARD"
  }

  monitoring_config {
    enable_components = ["SYSTEM_COMPONENTS"]
    managed_prometheus {
      enabled = true
    }
  }

  logging_config {
    enable_components = ["SYSTEM_COMPONENTS", "WORKLOADS"]
  }

  # The default pool, which is removed, uses the nodes' account too, since the default account has too many rights.
  node_config {
    service_account = google_service_account.accounts["nodes"].email
    oauth_scopes    = local.node_scopes
  }

  lifecycle {
    ignore_changes = [node_config]
  }

  depends_on = [google_project_service.used, google_project_iam_member.nodes]
}

locals {
  node_scopes = ["https://www.googleapis.com/auth/cloud-platform"] # rights are those of the account

  # Each pool scales from 0 to its maximum of nodes in all zones together; `cpu` always has one node.
  pools = {
    cpu      = { machine = "e2-standard-8", least = 1, most = 8, spot = false, gpus = 0 }
    gpu      = { machine = "g2-standard-8", least = 0, most = var.most_gpus, spot = false, gpus = 1 }
    gpu-spot = { machine = "g2-standard-8", least = 0, most = var.most_gpus, spot = true, gpus = 1 }
  }
}

resource "google_container_node_pool" "pools" {
  for_each = local.pools

  name               = each.key
  cluster            = google_container_cluster.football.id
  initial_node_count = each.value.least > 0 ? 1 : 0

  autoscaling {
    total_min_node_count = each.value.least
    total_max_node_count = each.value.most
    location_policy      = "ANY"
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  node_config {
    machine_type    = each.value.machine
    spot            = each.value.spot
    disk_size_gb    = 100
    disk_type       = "pd-balanced"
    service_account = google_service_account.accounts["nodes"].email
    oauth_scopes    = local.node_scopes

    workload_metadata_config {
      mode = "GKE_METADATA"
    }

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }

    dynamic "guest_accelerator" {
      for_each = each.value.gpus > 0 ? [each.value.gpus] : []
      content {
        type  = "nvidia-l4"
        count = guest_accelerator.value
        gpu_driver_installation_config {
          gpu_driver_version = "LATEST" # the images have CUDA 13, which needs driver 580; GKE's default may be older
        }
      }
    }

    # GKE adds nvidia.com/gpu itself. Only pods that survive the loss of a machine tolerate this taint.
    dynamic "taint" {
      for_each = each.value.spot ? [true] : []
      content {
        key    = "cloud.google.com/gke-spot"
        value  = "true"
        effect = "NO_SCHEDULE"
      }
    }
  }

  lifecycle {
    ignore_changes = [initial_node_count]
  }
}
