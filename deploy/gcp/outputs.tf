output "bucket" {
  description = "FOOTBALL_BUCKET of Dagster and of the forecast server."
  value       = google_storage_bucket.football.url
}

output "images" {
  description = "Registry that the images are pushed to: newName of the overlay's images begins with it."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.football.repository_id}"
}

output "credentials_command" {
  description = "Lets kubectl reach the cluster."
  value       = "gcloud container clusters get-credentials ${google_container_cluster.football.name} --region ${var.region} --project ${var.project}"
}

output "database_host" {
  description = "DAGSTER_PG_HOST of the overlay."
  value       = google_sql_database_instance.dagster.private_ip_address
}

output "database_range" {
  description = "Range that the overlay's network policy allows for the database."
  value       = "${google_compute_global_address.database.address}/${google_compute_global_address.database.prefix_length}"
}

output "service_accounts" {
  description = "Value of the annotation iam.gke.io/gcp-service-account, by Kubernetes service account as namespace/name."
  value       = { for pod, account in local.pods : pod => google_service_account.accounts[account].email }
}

output "certificate_map" {
  description = "Value of the annotation networking.gke.io/certmap of the Gateway."
  value       = google_certificate_manager_certificate_map.football.name
}

output "gateway_address" {
  description = "IP address for the A record of each host."
  value       = google_compute_global_address.gateway.address
}

output "gateway_address_name" {
  description = "Name of the address, which the Gateway of the overlay has under spec.addresses."
  value       = google_compute_global_address.gateway.name
}

output "dns_records" {
  description = "Records to create, by host, before the certificate is issued."
  value = {
    for one in google_certificate_manager_dns_authorization.hosts : one.domain => one.dns_resource_record
  }
}

output "landed_topic" {
  description = "Pub/Sub topic of landed files; null without notify_landed_files."
  value       = one(google_pubsub_topic.landed[*].id)
}

output "github_variables" {
  description = "Variables of the repository that data.yml and model.yml read; empty without github_repository."
  value = {
    for key in local.dispatch : key => {
      GCP_PROVIDER        = google_iam_workload_identity_pool_provider.github[key].name
      GCP_SERVICE_ACCOUNT = google_service_account.validation[key].email
      FOOTBALL_BUCKET     = google_storage_bucket.football.url
    }
  }
}
